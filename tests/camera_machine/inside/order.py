"""order.py PORT PATH JSON: send the camera's page an order, as a script of the page does."""

import sys
import urllib.request

port, path, order = sys.argv[1:]
own = f"http://127.0.0.1:{port}"
headers = {"Content-Type": "application/json", "Origin": own}
request = urllib.request.Request(f"{own}{path}", order.encode(), headers)  # noqa: S310
with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310
    print(reply.read().decode())
