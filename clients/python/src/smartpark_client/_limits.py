"""Every bound of the client, named, with its unit and its reason. Times are in seconds."""

# Longest name of a camera, track or floor, in characters, as the server reads them.
MAX_NAME_CHARS = 100
# Events that may wait in a spool: some 30 MB, a week of a busy car park.
MAX_WAITING = 100_000
# Dead letters that a spool keeps. The oldest goes when one more comes.
MAX_DEAD = 100_000
# Delivered events that a spool keeps, to send them again if the server was restored.
MAX_DELIVERED = 100_000
# How far back delivered events are compared with the server, in hours: the longest window that the
# server answers at once.
COMPARED_HOURS = 31 * 24
# How often the events of an hour are sent again while neither side changes. More than once: a
# server may be restored twice from the same backup.
MAX_SENT = 3
# Events in one request. The server takes 10 000, but a slow line must carry them in time.
MAX_BATCH_EVENTS = 500
# How long a process waits for another one that holds the spool's file.
BUSY_TIMEOUT = 10.0
# Pause before the first retry, and the least pause of all.
MIN_PAUSE = 0.5
# Longest pause between two tries, also if the server asks for more.
MAX_PAUSE = 30.0
# How long the client waits before it sends a held event again.
HOLD_PAUSE = 3600.0
# How long the client waits before it looks again for a floor that the server does not know.
FLOORS_PAUSE = 30.0
# How often the client compares what it delivered with what the server has.
COMPARE_INTERVAL = 3600.0
# How often a client looks whether another process put events into the spool, or stopped sending.
WATCH_INTERVAL = 1.0
# An event that waited longer than this belongs to a backlog: its delay says nothing about the
# camera's clock.
FRESH_EVENT = 10.0
# Time-outs in a row of the same request after which the sender tries with fewer events.
SLOW_FAILURES = 3
# How long a connection may take to be made, and how long a request may take as a whole.
CONNECT_TIMEOUT = 10.0
REQUEST_TIMEOUT = 60.0
# Largest answer that is read, in bytes: every row of a batch refused with a long text.
MAX_ANSWER_BYTES = 4 * 1024 * 1024
# Longest reason that is kept of a refusal, in characters.
MAX_REASON_CHARS = 500
# How long a client that is closed waits for its events to be delivered.
CLOSE_WAIT = 5.0
