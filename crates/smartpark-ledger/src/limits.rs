//! Every bound of the system, named, with its unit and its reason.

use std::time::Duration;

pub use smartpark_core::limits::*;

/// Largest request body in bytes: [`MAX_BATCH_ROWS`] rows of about 1.6 kB each.
pub const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// Largest body from somebody who has not shown a key yet, in bytes.
pub const MAX_SMALL_BODY_BYTES: usize = 4 * 1024;
/// Most events on one page. Contract §5.
pub const MAX_PAGE_ROWS: u32 = 1_000;
/// Events on a page where the caller names no limit. Contract §5.
pub const DEFAULT_PAGE_ROWS: u32 = 100;
/// Longest window of statistics, in hours: a hundred years.
pub const MAX_STATISTICS_HOURS: u32 = 876_600;
/// Longest retention, in days: a hundred years.
pub const MAX_RETENTION_DAYS: u32 = 36_525;
/// Rows that may wait for the writer in one process; more is answered with 503.
pub const MAX_QUEUED_ROWS: usize = 65_536;
/// Rows after which a group is committed, however many wait: bounds the time of one commit.
pub const MAX_GROUP_ROWS: usize = 4_096;
/// Events that one cleanup transaction deletes: recording waits for a few milliseconds only.
pub const CLEANUP_CHUNK_ROWS: usize = 250;
/// Floors that one step of a cleanup looks at.
pub const CLEANUP_STEP_FLOORS: usize = 100;
/// Floors whose count at the new horizon is computed in the transaction that moves it, because
/// something was recorded on them since it was computed. If there are more, that is done again
/// before.
pub const CLEANUP_LATE_FLOORS: usize = 50;
/// How often that is done again at most.
pub const CLEANUP_ROUNDS: usize = 10;
/// Connections that read from one embedded database.
pub const SQLITE_READERS: usize = 4;
/// Reads that may wait for a connection; more is answered with 503.
pub const MAX_QUEUED_READS: usize = 4_096;
/// How long a transaction waits for another process that writes to the same file.
pub const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for a server: whoever posts is then told 503, and sends again. Long enough for any
/// transaction of another process that goes on, and too short for one that stands still.
pub const SQLITE_SERVER_PATIENCE: Duration = Duration::from_millis(1_500);
/// The same while another process stands still: each group tries again, and none waits long.
pub const SQLITE_SHORT_PATIENCE: Duration = Duration::from_millis(100);
/// How often the lock is tried meanwhile: often enough to meet the pause of an import.
pub const SQLITE_LOCK_INTERVAL: Duration = Duration::from_micros(500);
/// How often a server that waits for the lock looks whether its holder was stopped. Shorter than
/// [`SQLITE_SHORT_PATIENCE`], and longer than nearly all transactions.
pub const SQLITE_HOLDER_INTERVAL: Duration = Duration::from_millis(60);
/// How long an import lets others write after each of its transactions.
pub const IMPORT_REST: Duration = Duration::from_millis(2);
/// How often an idle server looks whether its file is still there.
pub const SQLITE_LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often a log that seems to be another file's is looked at before it is refused: the server
/// may be writing it just now. The pauses double from 10 ms on.
pub const SQLITE_LOG_ATTEMPTS: u32 = 5;
/// How many logs other processes may have begun between two looks at the file.
pub const SQLITE_NUMBERS_AHEAD: i32 = 65_536;
/// Bytes that are written to find out whether a disk that was full has room again.
pub const SQLITE_ROOM_BYTES: u32 = 1024 * 1024;
/// How often the commits of other processes are looked for while somebody watches.
pub const SQLITE_WATCH_INTERVAL: Duration = Duration::from_millis(250);
/// Live streams of one server, and as many watchers of a program that embeds the counter. Each
/// stream keeps a connection, and others need some too ([`MAX_CONNECTIONS`]). One more stream gets
/// the place of a client that has more of them, or is answered with 503.
pub const MAX_WATCHERS: usize = 2_048;
/// The latest events that are kept for watchers; who is further behind reads them from the store.
pub const LIVE_RING_EVENTS: usize = 4_096;
/// Events that a watcher who is further behind is given at once, which are its own: states of
/// floors come in between.
pub const LIVE_BATCH_EVENTS: u32 = 64;
/// Events that are found at once and told in one piece, which watchers share.
pub const LIVE_PIECE_EVENTS: usize = 128;
/// The least time between two looks for what is new: bounds what a flood of commits costs.
pub const LIVE_PACE: Duration = Duration::from_millis(50);
/// Watchers that are woken at once; a post that comes meanwhile waits for as many at most.
pub const LIVE_TURN_WATCHERS: usize = 8;
/// How long after them the next are woken. Bounds what watchers cost: of a thousand each is told
/// about eight times a second, of two thousand four times, of thirty every [`LIVE_PACE`].
pub const LIVE_TURN_PAUSE: Duration = Duration::from_millis(1);
/// How long the live hub waits after a look that failed, and how often it may stay without any
/// watcher before it rests.
pub const LIVE_PAUSE: Duration = Duration::from_secs(1);
/// Looks in a row that may fail before the watchers are let go: what they show would be old.
pub const LIVE_ATTEMPTS: u32 = 3;
/// How often a stream says that it is alive.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// How far ahead of the server's clock an event may lie. Contract §3.
pub const DEFAULT_MAX_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
/// Within what time a second event without a timestamp is a repeat of the first. Contract §3.
pub const DEFAULT_DEDUP_WINDOW: Duration = Duration::from_secs(5);
/// How old the site's record may be that a server goes by: what another process changes shows
/// within this time.
pub const SITE_KEPT: Duration = Duration::from_secs(2);
/// Longest line of a file to import, in bytes: an event is about 200.
pub const MAX_IMPORT_LINE_BYTES: usize = 64 * 1024;
/// Rows of a file that are recorded together: one full group of the writer.
pub const IMPORT_BATCH_ROWS: usize = MAX_GROUP_ROWS;
/// Batches that are read ahead of the one being recorded: keeps memory constant.
pub const IMPORT_BATCHES_AHEAD: usize = 2;
/// How often a batch is tried that the store cannot take now.
pub const IMPORT_ATTEMPTS: u32 = 6;
/// How long an import waits before it tries a batch again; doubles each time.
pub const IMPORT_FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Most facts that one withdrawal names: all are withdrawn in one transaction.
pub const MAX_WITHDRAWN_FACTS: usize = 10_000;
/// Rows of a site that are copied in one transaction: one full group of the writer.
pub const COPY_PAGE_ROWS: usize = MAX_GROUP_ROWS;
/// The same for hours whose events are gone: each of them may hold thousands of events.
pub const COPY_PAGE_DIGESTS: usize = 256;
/// How often a copy goes through a source that is written to meanwhile, until it gives up.
pub const COPY_PASSES: u32 = 5;
/// Pages of the database file that a backup copies between two looks at its progress.
pub const BACKUP_STEP_PAGES: i32 = 1_024;
/// Rejected rows (and mismatches of a check) that are shown one by one.
pub const SHOWN_FAULTS: usize = 20;
/// Hours of statistics where the caller names no window. Contract §5.
pub const DEFAULT_STATISTICS_HOURS: u32 = 24;
/// Connections that one server serves at once. Where all places are taken, whoever uses its place
/// least makes room for who comes. (The system may allow fewer, see [`SPARE_FILES`].)
pub const MAX_CONNECTIONS: usize = 10_240;
/// The same for a server that encrypts: what encryption keeps of each is as much again.
pub const MAX_TLS_CONNECTIONS: usize = 4_096;
/// Files of those that the system lets the process open that are left for other things than
/// connections: the database, the certificate, the logs.
pub const SPARE_FILES: usize = 128;
/// How long a request that has begun is left alone before its connection may have to make room: an
/// honest one is answered long before.
pub const LEAST_STAY: Duration = Duration::from_secs(2);
/// How long a new connection, or one that was just answered, counts as one that will be used:
/// others make room before it.
pub const FRESH: Duration = Duration::from_millis(500);
/// Memory that the bodies of all requests may take together, in bytes; more is answered with 503.
pub const MAX_BODIES_BYTES: usize = 128 * 1024 * 1024;
/// Memory that all answers may take together while their clients take them, in bytes; more is
/// answered with 503. What is written while it is read is not among them: [`MAX_DOWNLOADS`],
/// [`MAX_WATCHERS`].
pub const MAX_ANSWERS_BYTES: usize = 64 * 1024 * 1024;
/// Bodies and answers of at most so many bytes have a quarter of that memory to themselves, so that
/// large ones do not keep the events of a camera and the floors out.
pub const SMALL_BYTES: usize = 16 * 1024;
/// Requests that one server answers at once, over all connections; one more is answered with 503.
/// More than connections, so that only HTTP/2 with many streams meets it.
pub const MAX_REQUESTS: usize = 12_288;
/// Pages of more than [`DEFAULT_PAGE_ROWS`] events that are made at once, at most: each keeps a
/// processor busy, and half of them are left to what is small, so where there are fewer than four
/// it is one page. More wait in a row.
pub const MAX_PAGES: usize = 2;
/// What an event on a page usually takes, in bytes: by it is asked whether there is memory for a
/// page before it is made.
pub const PAGE_ROW_BYTES: usize = 256;
/// Tables of events that are downloaded at once; one more is answered with 503.
pub const MAX_DOWNLOADS: usize = 64;
/// Largest head of a request (and what hyper reads ahead of a body), in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
/// What HTTP/2 keeps of an answer for each request, in bytes, before more of it is made.
pub const MAX_SEND_BYTES: usize = 32 * 1024;
/// What a history or the digests of many slices may take, in bytes; asked for like a page.
pub const LONG_ANSWER_BYTES: usize = 128 * 1024;
/// What the system takes of a connection's answers beyond what is on its way to the client, in
/// bytes. By itself it takes megabytes of each, and what nobody reads would be made all the same.
pub const MAX_UNSENT_BYTES: u32 = 64 * 1024;
/// What a client that cannot be written to must take within [`WRITE_TIMEOUT`], in bytes: slower is
/// no line that anybody uses, but somebody who holds on.
pub const LEAST_TAKEN_BYTES: usize = 16 * 1024;
/// Requests at once on one HTTP/2 connection.
pub const MAX_STREAMS: u32 = 128;
/// How long the head of a request may take. Invariants, "Bad input".
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the body of a request may take. Invariants, "Bad input".
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to take [`LEAST_TAKEN_BYTES`] of an answer.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may be idle between requests.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a server that can acknowledge nothing more goes on answering 503 before it ends:
/// clients and probes then hear why.
pub const FAILURE_NOTICE: Duration = Duration::from_secs(1);
/// How long a server that stops waits for the requests it has started. The process must be gone
/// within ten seconds, and closing the database takes some of them.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(8);
/// API keys that hold at the same time: a server has all of them at hand.
pub const MAX_KEYS: usize = 1_000;
/// How old the keys that a server has at hand may be before it looks for newer ones, while it
/// still answers with those it has.
pub const KEYS_FRESH: Duration = Duration::from_secs(2);
/// How old they may be at most: within this time a key that was made or revoked is so everywhere.
pub const KEYS_MAX_AGE: Duration = Duration::from_secs(5);
/// The least time between two looks at the keys, however many ask for the newest.
pub const KEYS_PACE: Duration = Duration::from_millis(100);
/// How long a person who signed in on the page stays signed in without coming back.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// By how much the clocks of servers on one database may differ, as far as sessions go.
pub const SESSION_SKEW: Duration = Duration::from_secs(5 * 60);
/// How often an aged session may be renewed: an answer with the new one may be lost.
pub const SESSION_RENEWAL: Duration = Duration::from_secs(24 * 60 * 60);
/// Sessions of one key at the same time; a further one ends the one that would end first. A server
/// keeps all of them in memory, 32 bytes each.
pub const MAX_SESSIONS_PER_KEY: usize = 256;
/// Sessions that may be begun with one key, per second: each is a commit that recording waits for.
pub const MAX_SIGN_INS_PER_SECOND: u32 = 2;
/// Tries to get in without a good key from one address, per second; more is answered with 429.
/// Nobody guesses a key: this only keeps such tries from being a load.
pub const MAX_REFUSALS_PER_SECOND: u32 = 10;
/// How many seconds' worth of a rate may come at once: a page loads twenty things together.
pub const RATE_BURST_SECONDS: u32 = 10;
/// Addresses whose rates are kept apart, of each rate; the others share one.
pub const MAX_RATED_ADDRESSES: usize = 65_536;
/// Hops of a forwarded request that are looked at.
pub const MAX_FORWARDED_HOPS: usize = 32;
/// How long one writing of a feed is given to readers: what its `Cache-Control` says, too.
pub const FEED_AGE: Duration = Duration::from_secs(30);
/// How often one address may read feeds without a key, in requests a second: a reader needs one a
/// minute, and many may share an address.
pub const MAX_FEED_READS_PER_SECOND: u32 = 20;
/// How often the files of a certificate are looked at.
pub const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(2);
/// Largest file of a certificate or its key, in bytes.
pub const MAX_CERTIFICATE_BYTES: u64 = 1024 * 1024;
/// Pages of the log (of 4 kB each) with which the writer copies them into the database file: some
/// 10 ms of work.
pub const SQLITE_CHECKPOINT_PAGES: i64 = 3_000;
/// The same after what is no recording: a cleanup fills the log several times a second, and those
/// who record wait for each copying.
pub const SQLITE_TASK_CHECKPOINT_PAGES: i64 = 1_000;
/// How long a server that starts waits for the number of events that its log tells.
pub const COUNTING_PATIENCE: Duration = Duration::from_millis(200);
/// Prepared statements that one connection keeps.
pub const SQLITE_STATEMENTS: usize = 96;
/// Connections that one server reads from PostgreSQL with, and as many more from a replica.
pub const POSTGRES_READERS: usize = 8;
/// Connections that one server changes floors, cleans up and makes partitions with.
pub const POSTGRES_WRITERS: usize = 3;
/// Groups of events that one server records at the same time on PostgreSQL. Usually there is one; a
/// group that takes long leaves the others to the rest.
pub const POSTGRES_LANES: usize = 4;
/// Connections for that: one a lane, and one to make partitions with.
pub const POSTGRES_RECORDERS: usize = POSTGRES_LANES + 1;
/// How long a group is alone. After that, events of other floors no longer wait for it.
pub const POSTGRES_OVERTAKE: Duration = Duration::from_millis(100);
/// How long a request tries to reach PostgreSQL and to commit, from the moment it arrives. It is
/// shorter than the time that a proxy waits for an answer (docs/deployment.md).
pub const POSTGRES_PATIENCE: Duration = Duration::from_secs(8);
/// How long PostgreSQL waits for a row or a table that another transaction holds.
pub const POSTGRES_LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a group of events of several floors waits for a lock before the events of the other
/// floors go on without it.
pub const POSTGRES_SHARED_WAIT: Duration = Duration::from_millis(200);
/// How long a transaction that holds floors may wait for its server's next message. PostgreSQL then
/// ends it: the server is frozen or cut off. A server that is only slow tries again with twice the
/// time.
pub const POSTGRES_IDLE_RECORDING: Duration = Duration::from_secs(1);
/// What is added to that for each row of a large group: it is judged and sent as a whole.
pub const POSTGRES_IDLE_A_ROW: Duration = Duration::from_micros(100);
/// How often a server that judges a large group says that it is alive.
pub const POSTGRES_SIGN_OF_LIFE: Duration = Duration::from_millis(250);
/// How long a transaction that changes floors, cleans up, migrates or copies may wait for its
/// server's next message.
pub const POSTGRES_IDLE_WRITING: Duration = Duration::from_secs(2);
/// The same for transactions that only read. They hold up nobody who records.
pub const POSTGRES_IDLE_READING: Duration = Duration::from_secs(10);
/// How long PostgreSQL tries to send an answer to a server that does not take it.
pub const POSTGRES_UNSENT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one look-up of a large group may take while the group holds its floors. A look-up that
/// takes longer is done once without the floors, which fills PostgreSQL's memory, and then again.
pub const POSTGRES_HELD_LOOKUP: Duration = Duration::from_secs(1);
/// Rows from which on a group counts as large in this sense.
pub const POSTGRES_LARGE_ROWS: usize = 64;
/// How long events may wait for a floor that another session holds, while nothing else is recorded,
/// until the server is not ready.
pub const POSTGRES_STUCK: Duration = Duration::from_secs(2);
/// How long a migration waits at a time for a table that others use: everyone who records waits
/// behind it.
pub const MIGRATION_LOCK_TIMEOUT: Duration = Duration::from_millis(200);
/// Partitions that are made in one transaction. Recording waits for the transaction once.
pub const MONTHS_AT_ONCE: usize = 6;
/// How long the making of a partition waits for groups of events under way; new ones wait behind
/// it.
pub const MONTHS_LOCK_TIMEOUT: Duration = Duration::from_millis(100);
/// How long a cleanup waits at a time to be alone with the table of events: who records has to wait
/// behind it. More than most transactions take, and less than anybody notices.
pub const POSTGRES_ALONE_TIMEOUT: Duration = Duration::from_millis(50);
/// Most facts that are read at once from PostgreSQL where the effects of late events end somewhere
/// among them: to read them takes about as long as a few round trips.
pub const POSTGRES_AHEAD_FACTS: u32 = 512;
/// How long a connection to PostgreSQL may take to be made. Several hosts share
/// [`POSTGRES_PATIENCE`].
pub const POSTGRES_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may take to show that PostgreSQL answers on it, after another one gave no
/// answer.
pub const POSTGRES_PING: Duration = Duration::from_secs(1);
/// How often the commits of other servers are looked for while somebody watches.
pub const POSTGRES_WATCH_INTERVAL: Duration = Duration::from_millis(250);
/// How long a transaction may hold the live streams' events up before the log names it.
pub const POSTGRES_LONG_TRANSACTION: Duration = Duration::from_secs(10);
/// How old the floors may be that a server shows, as far as other servers changed them; its own
/// changes show at once. Costs as many small reads a second while somebody asks.
pub const POSTGRES_LATEST_AGE: Duration = Duration::from_millis(100);
/// How long a write to PostgreSQL waits before it is tried again; doubles each time up to
/// [`POSTGRES_LONGEST_PAUSE`].
pub const POSTGRES_FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause between two attempts.
pub const POSTGRES_LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// How far a replica may be behind: beyond that the primary answers. What a person who looks at
/// lists and statistics would not miss.
pub const DEFAULT_MAX_REPLICA_LAG: Duration = Duration::from_secs(10);
/// How often the position of the primary is noted, by which the age of a replica is told: an
/// answer from a replica that is level says that it is up to so old.
pub const MARK_INTERVAL: Duration = Duration::from_millis(500);
/// How long a replica may take until it has said how far it has come.
pub const REPLICA_REACH: Duration = Duration::from_secs(2);
/// How long a read from a replica may take before the primary is asked.
pub const REPLICA_PATIENCE: Duration = Duration::from_secs(4);
/// How long a replica is left alone that could not be used.
pub const REPLICA_REST: Duration = Duration::from_secs(1);
/// Months for which partitions are made ahead, beside the current one.
pub const MONTHS_AHEAD: i32 = 2;
/// Steps of an occupancy history where the caller names no length: as many as a chart has room for.
pub const DEFAULT_HISTORY_STEPS: u32 = 300;
/// Most steps of an occupancy history.
pub const MAX_HISTORY_STEPS: u32 = 2_000;
/// Shortest step of an occupancy history, in seconds.
pub const MIN_HISTORY_STEP: u32 = 60;
/// Longest step of an occupancy history, in seconds: 31 days.
pub const MAX_HISTORY_STEP: u32 = 31 * 86_400;
/// Length of a slice of a camera's events where the caller names none, in seconds.
pub const DEFAULT_DIGEST_STEP: u32 = 3_600;
/// Longest such slice, in seconds: a day.
pub const MAX_DIGEST_STEP: u32 = 86_400;
/// Most slices in one answer.
pub const MAX_DIGEST_SLICES: u32 = 2_000;
/// Longest window of slices, in hours: 31 days. All its events are read.
pub const MAX_DIGEST_HOURS: u32 = 31 * 24;
/// Facts that a walk along a history fetches from PostgreSQL at once.
pub const HISTORY_CHUNK_ROWS: usize = 8_192;
/// Walks along a history at the same time in one process; more wait. A long one reads for seconds,
/// and readers must be left for what is answered in milliseconds.
pub const MAX_WALKS: usize = 2;
/// Cameras of which one process counts refused events by name, in one hour; more share one count.
pub const MAX_REFUSED_CAMERAS: usize = 1_000;
/// Largest state that an adapter of a device keeps, in bytes.
pub const MAX_STATE_BYTES: usize = 4_096;
/// How often states of adapters are deleted whose time is over.
pub const FORGET_STATES_INTERVAL: Duration = Duration::from_secs(3_600);
/// Sentences about what was not counted that one process keeps of one hour; more share one a
/// reason.
pub const MAX_NOT_COUNTED: usize = 2_000;
/// Longest of these sentences, in characters.
pub const MAX_NOT_COUNTED_CHARS: usize = 200;
/// How often refused events that were counted in memory are added to the store: what a crash may
/// lose of these counts, and how late other servers hear of them.
pub const REFUSALS_INTERVAL: Duration = Duration::from_secs(3);
/// How long PostgreSQL may take to store counts of refused events.
pub const REFUSALS_PATIENCE: Duration = Duration::from_secs(1);
/// How long counts of refused events are kept, in hours: a week.
pub const REFUSALS_KEPT_HOURS: u32 = 7 * 24;
/// Longest window of refused events, in hours.
pub const MAX_REFUSAL_HOURS: u32 = REFUSALS_KEPT_HOURS;
/// How long one answer of what needs a person is given again: every open page asks for it.
pub const ATTENTION_KEPT: Duration = Duration::from_secs(5);
/// Most things that are told to need a person; the less urgent are left out.
pub const MAX_ATTENTION_ITEMS: usize = 100;
/// How far back it is looked since when a floor is full or nearly full, in hours: first a little,
/// and farther only where that does not tell.
pub const ATTENTION_REACHES: [u32; 3] = [1, 6, 24];
/// Cameras that the metrics of one process name, of each kind: every name is a series that
/// Prometheus keeps for weeks. More are counted as `other`.
pub const MAX_METRIC_CAMERAS: usize = 500;
/// For how long a camera that sends nothing stays among the metrics, in hours.
pub const LAST_SEEN_HOURS: u32 = 7 * 24;
/// How long the store may take to say what the metrics tell of it. Prometheus waits for ten
/// seconds, and shall hear the rest also while the store is away.
pub const METRICS_PATIENCE: Duration = Duration::from_secs(3);
/// Longest name of a request that a client may give it, in bytes.
pub const MAX_REQUEST_ID_BYTES: usize = 64;
/// How long one trial whether the store takes writes is believed: each costs a synced commit, and
/// anybody may ask.
pub const READY_KEPT: Duration = Duration::from_secs(1);
/// How long the store may take to show that it is ready: who asks gives up after a few seconds,
/// too.
pub const READY_PATIENCE: Duration = Duration::from_secs(3);

/// So many of the last events that were received are looked at for the lags of cameras.
pub const RECENT_RECEIPTS: usize = 5_000;
/// Floors whose facts one process keeps folded for estimates, each up to 1 MB. Of more, those are
/// read again that nobody asked about for longest.
pub const MAX_OBSERVED_FLOORS: usize = 32;
/// Floors whose drift is estimated anew for one answer of what needs a person, or of the metrics:
/// each takes up to 0.3 s if nothing of it is kept. Others follow with the next answers.
pub const MAX_SURVEYED_FLOORS: usize = 8;
/// States of a floor's drift that are kept, each about 200 kB: the latest nights that were asked.
pub const MAX_DRIFT_STATES: usize = 2;
/// Groups of floors whose trained forecasts are kept, each of up to 32 floors and 1 MB.
pub const MAX_FORECAST_GROUPS: usize = 16;
/// How far ahead a forecast reaches, in hours: a week.
pub const MAX_FORECAST_HOURS: u32 = 7 * 24;
/// How far ahead a forecast reaches if the caller names nothing, in hours.
pub const DEFAULT_FORECAST_HOURS: u32 = 24;
/// Shortest step of a forecast, in seconds; the step if the caller names none.
pub const MIN_FORECAST_STEP: u32 = 900;
/// Longest step of a forecast, in seconds: a day.
pub const MAX_FORECAST_STEP: u32 = 86_400;
/// How far ahead a driver may arrive, in seconds: a week.
pub const MAX_ARRIVAL_SECONDS: u32 = 7 * 86_400;
/// Shortest step of a history of drift, in seconds: an hour.
pub const MIN_DRIFT_STEP: u32 = 3_600;
/// Most steps of a history of drift.
pub const MAX_DRIFT_STEPS: u32 = 750;
/// Days over which cameras are judged if nobody names a number.
pub const DEFAULT_QUALITY_DAYS: u32 = 28;
/// Most days over which cameras are judged: older ones tell little of what a camera does now.
pub const MAX_QUALITY_DAYS: u32 = 84;
/// Events of each of two cameras on one line that are compared, the latest first: 16 pages.
pub const MAX_TWIN_EVENTS: usize = 16_000;
/// Recounts that are evidence for the judgement of cameras, the latest ones: each takes two walks
/// through history.
pub const MAX_QUALITY_RECOUNTS: u32 = 100;
