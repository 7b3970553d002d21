"""Verifies webhooks that contract/webhooks.mjs received: with the official library, and with the Python and PHP of the guide."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

received = json.loads(pathlib.Path(sys.argv[1]).read_text())
secret, signed = received["secret"], received["signed"]
assert signed, "nothing came"
guide = (pathlib.Path(__file__).parent.parent / "docs" / "webhooks.md").read_text()


def code(language):
    return re.search(rf"```{language}\n(.*?)```", guide, re.S).group(1)


own = {}
exec(code("python"), own)  # noqa: S102 - the guide is ours
php = pathlib.Path(tempfile.mkdtemp(prefix="souk-guide.")) / "verify.php"
php.write_text(
    "<?php\n" + code("php") + "\n$a = json_decode(stream_get_contents(STDIN), true);\n"
    "foreach ($a as $one) echo verify(...$one) ? '1' : '0';\n"
)


def by_php(calls):
    said = subprocess.run(["php", str(php)], input=json.dumps(calls), capture_output=True, text=True, check=True)
    return [mark == "1" for mark in said.stdout.strip()]


official = Webhook(secret)
good, bad = [], []
for one in signed:
    headers = {f"webhook-{name}": one[name] for name in ("id", "timestamp", "signature")}
    official.verify(one["body"], headers)
    try:
        official.verify(one["body"] + " ", headers)
        raise SystemExit("the official library takes a changed body")
    except WebhookVerificationError:
        pass
    call = [secret, one["id"], one["timestamp"], one["signature"], one["body"]]
    good.append(call)
    bad += [call[:4] + [one["body"] + " "], call[:1] + ["msg_other"] + call[2:], call + [int(one["timestamp"]) + 301]]
for verify in (lambda calls: [own["verify"](*call) for call in calls], by_php):
    assert all(verify(good)), "the guide refuses what is right"
    assert not any(verify(bad)), "the guide takes what is wrong"
print(f"{len(signed)} webhooks verified by standardwebhooks and by the guide in Python and PHP")
