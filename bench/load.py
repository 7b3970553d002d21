"""Runs the load generator against an address of this machine, bounded in time and number."""

import ipaddress
import json
import os
import subprocess
from urllib.parse import urlsplit

CONNECTIONS = 32


def load(arguments, seconds, rate=None):
    """Without a rate: as fast as 32 connections go. With one: that many requests per second, and latencies counted from
    the moment a request was due, so that a stall is not hidden by the requests it held up."""
    for url in addresses(arguments):
        if not ipaddress.ip_address(urlsplit(url).hostname).is_loopback:
            raise SystemExit(f"{url} is not on this machine")
    command = [os.environ["OHA"], "--no-tui", "--output-format", "json", "--disable-compression", "-c", str(CONNECTIONS)]
    if rate:
        command += ["-n", str(int(rate * seconds)), "-q", str(rate), "--latency-correction"]
    else:
        command += ["-z", f"{seconds}s"]
    done = subprocess.run(command + arguments, capture_output=True, text=True, timeout=seconds + 60, check=True)
    result = json.loads(done.stdout)
    codes = result["statusCodeDistribution"]
    good = sum(count for code, count in codes.items() if code.startswith("2"))
    if good != sum(codes.values()) or not good:
        raise SystemExit(f"not every answer was good: {codes} {result['errorDistribution']} for {arguments}")
    percentiles = result["latencyPercentiles"]
    return {
        "requests": good,
        "rate": good / result["summary"]["total"],
        "p50": percentiles["p50"] * 1000,
        "p99": percentiles["p99"] * 1000,
    }


def addresses(arguments):
    if "--urls-from-file" in arguments:
        with open(arguments[arguments.index("--urls-from-file") + 1]) as file:
            return file.read().split()
    return [argument for argument in arguments if argument.startswith("http://")]
