"""Sends webhooks that the libraries of their senders signed: standardwebhooks and stripe, as they come from PyPI. Fails when one is
not taken, or when one is taken that was changed on the way.

usage: python webhooks.py <base address> <secret of standard> <secret of stripe>
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone

import stripe
from standardwebhooks.webhooks import Webhook

base, standard_secret, stripe_secret = sys.argv[1:]
now = int(time.time())
run = f"{os.getpid()}-{now}"


def send(source, headers, body):
    request = urllib.request.Request(f"{base}/api/v1/hooks/{source}", data=body.encode(), method="POST")
    for name, value in {"Content-Type": "application/json", **headers}.items():
        request.add_header(name, value)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def standard(body):
    message = f"msg_py_{run}"
    signature = Webhook(standard_secret).sign(message, datetime.fromtimestamp(now, tz=timezone.utc), body)
    return {"webhook-id": message, "webhook-timestamp": str(now), "webhook-signature": signature}


def of_stripe(body):
    # The library signs for its own verification only.
    signature = stripe.WebhookSignature._compute_signature(f"{now}.{body}", stripe_secret)
    header = f"t={now},v1={signature}"
    stripe.WebhookSignature.verify_header(body, header, stripe_secret, tolerance=300)
    return {"stripe-signature": header}


for source, sign in {"standard": standard, "stripe": of_stripe}.items():
    body = f'{{ "id" : "evt_py_{run}", "type":"contract.python", "price": 1.50, "word": "Grüße" }}'
    headers = sign(body)
    changed = send(source, headers, json.dumps(json.loads(body)))
    statuses = [send(source, headers, body) for _ in range(2)]
    if changed != 401 or statuses != [202, 200]:
        sys.exit(f"{source}: changed {changed}, as it was signed {statuses}")
print(f"PyPI: standardwebhooks and stripe {stripe.VERSION} are believed once each, and nothing that was changed")
