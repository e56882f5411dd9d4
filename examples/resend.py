"""What a camera's box does after it was offline, or after the server was set up from a backup: asks
which of its events are stored and sends again those slices that differ. Python's own library only.

    SMARTPARK_KEY=... python3 resend.py http://127.0.0.1:8000 events.ndjson

The file has one event a line, as they are posted to /events. Without a timestamp an event cannot
be told from another: such lines are passed over.
"""
import collections, datetime, hashlib, json, os, sys, urllib.parse, urllib.request

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
HOUR = 3_600_000_000  # in microseconds
WINDOW = 31 * 24  # hours that may be asked for at once
BATCH = 10_000  # events that may be sent at once


def micros(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def instant(hour):
    return (EPOCH + datetime.timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


def key(event):
    return event["camera_id"], event["track_id"], event["direction"], micros(event["timestamp"])


def digest(keys):
    number = 0
    for parts in keys:
        text = "\n".join(map(str, parts))
        number ^= int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    return f"{number:032x}"


def call(path, lines=None):
    headers = {"Content-Type": "application/x-ndjson"}
    if "SMARTPARK_KEY" in os.environ:
        headers["Authorization"] = "Bearer " + os.environ["SMARTPARK_KEY"]
    data = None if lines is None else "".join(lines).encode()
    request = urllib.request.Request(sys.argv[1] + path, data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def stored(camera, first, last):
    """Hour by hour how many events are stored, and their digest."""
    for start in range(first, last + 1, WINDOW):
        end = min(start + WINDOW, last + 1)
        asked = {"camera_id": camera, "start": instant(start), "end": instant(end), "step": 3600}
        answer = call("/events/digest?" + urllib.parse.urlencode(asked))
        yield from ((start + place, it) for place, it in enumerate(answer["slices"]))


def main():
    cameras = collections.defaultdict(lambda: collections.defaultdict(dict))
    with open(sys.argv[2], encoding="utf-8") as file:
        for line in filter(str.strip, file):
            event = json.loads(line)
            if event.get("timestamp"):
                parts = key(event)
                cameras[parts[0]][parts[3] // HOUR][parts] = line.rstrip("\n") + "\n"
    again = []
    for camera, hours in cameras.items():
        for hour, there in stored(camera, min(hours), max(hours)):
            own = hours.get(hour, {})
            if (there["events"], there["digest"]) != (len(own), digest(own)):
                again.extend(own.values())
    total = collections.Counter(sent=len(again))
    for start in range(0, len(again), BATCH):
        answer = call("/events", again[start : start + BATCH])
        for what in ("recorded", "duplicates", "rejected"):
            total[what] += answer[what]
    print(json.dumps(total))


main()
