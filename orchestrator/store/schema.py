"""The tables. ``HEAD`` is the Alembic revision that they agree with."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from orchestrator.store.columns import HostText, UtcTime

HEAD = "0006"

# The execution option of connections that will write, and its values.
WRITING = "luytre_writing"
SYNCED = "synced"
SYNCED_LATER = "synced later"

metadata = MetaData()

host = Table(
    "host",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime),
    Column("reference_run", String, ForeignKey("run.id")),
    Column("last_audit_run", String, ForeignKey("run.id")),
    Column("last_likeness", String(64), nullable=False, server_default=""),
    Column("judged_run", String, ForeignKey("run.id")),
)

host_fact = Table(
    "host_fact",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host_id", Integer, ForeignKey("host.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("value", HostText, nullable=False),
    Column("since", UtcTime, nullable=False),
    Index("ix_host_fact_latest", "host_id", "name", "id"),
)

run = Table(
    "run",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("operator", String, nullable=False),
    Column("controller", String, nullable=False),
    Column("tool", String, nullable=False),
    Column("profile", String, nullable=False),
    Column("host_limit", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("note", Text, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("status", String, nullable=False),
    Column("plan", String),
    # A saved plan is used once, also by two at the same moment.
    Index("ix_run_plan", "plan", unique=True),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

summary = Table(
    "summary",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("manifest", String(64), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("waived", Integer, nullable=False),
    Column("verdicts", JSON(none_as_null=True)),
)

# Millions of rows: they are kept in the order of their key, and are small while nothing changes.
run_host = Table(
    "run_host",
    metadata,
    Column("run_id", String, ForeignKey("run.id"), primary_key=True),
    Column("host_id", Integer, ForeignKey("host.id"), primary_key=True),
    Column("step", String, nullable=False, server_default=""),
    Column("reach", String),
    Column("outcome", String),
    Column("reason", HostText, nullable=False, server_default=""),
    Column("summary_id", Integer, ForeignKey("summary.id")),
    Column("evidence_id", Integer, ForeignKey("evidence.id")),
    Column("aside", String, nullable=False, server_default=""),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("changed", JSON(none_as_null=True)),
    Column("still_failing", JSON(none_as_null=True)),
    Index("ix_run_host_host", "host_id", "run_id"),
    sqlite_with_rowid=False,
)

finding = Table(
    "finding",
    metadata,
    Column("host_id", Integer, ForeignKey("host.id"), primary_key=True),
    Column("control", String, primary_key=True),
    Column("verdict", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("marks", String, nullable=False),
    Column("expected", HostText, nullable=False),
    Column("observed", HostText, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("last_run", String, ForeignKey("run.id"), nullable=False),
    Column("ever_passed", Boolean, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("read_verdict", String),
    Column("read_open", Boolean, nullable=False),
    Column("read_observed", String(64), nullable=False),
    Column("read_want", String(64), nullable=False),
    Column("read_tool", String, nullable=False),
    Index("ix_finding_open", "read_open"),
)

transition = Table(
    "transition",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host_id", Integer, ForeignKey("host.id"), nullable=False),
    Column("control", String, nullable=False),
    Column("run_id", String, ForeignKey("run.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("event", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("before", String),
    Column("after", String, nullable=False),
    Column("expected", HostText, nullable=False),
    Column("observed", HostText, nullable=False),
    Index("ix_transition_control", "host_id", "control", "id"),
    Index("ix_transition_run", "run_id"),
    Index("ix_transition_at", "at"),
)

# What came of each backup of each host; the sample of hashed files is kept of the latest ones.
backup = Table(
    "backup",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host_id", Integer, ForeignKey("host.id"), nullable=False),
    Column("run", String, nullable=False),
    Column("state", String, nullable=False),
    Column("started", UtcTime),
    Column("ended", UtcTime),
    Column("parts", HostText, nullable=False),
    Column("sample", LargeBinary),
    Index("ix_backup_host", "host_id", "run", unique=True),
)

# What came of restoring a host's backup elsewhere; ``backup`` is the run of that backup.
drill = Table(
    "drill",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host_id", Integer, ForeignKey("host.id"), nullable=False),
    Column("run", String, nullable=False),
    Column("scratch", String, nullable=False),
    Column("state", String, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("backup", String, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("rpo", Float),
    Column("rto", Float),
    Column("files", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("details", HostText, nullable=False),
    Index("ix_drill_host", "host_id", "run", unique=True),
)

# What hosts saw that somebody must look at; ``identity`` tells the events of one host apart.
alert = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("host_id", Integer, ForeignKey("host.id"), nullable=False),
    Column("identity", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("source", HostText, nullable=False),
    Column("summary", HostText, nullable=False),
    Column("details", HostText, nullable=False),
    Column("told", UtcTime, nullable=False),
    Column("seen_by", String, nullable=False, server_default=""),
    Column("seen_at", UtcTime),
    Column("remark", Text, nullable=False, server_default=""),
    Index("ix_alert_identity", "host_id", "identity", unique=True),
    Index("ix_alert_at", "at"),
)

# What each host said last about a topic beside its controls.
topic_answer = Table(
    "topic_answer",
    metadata,
    Column("host_id", Integer, ForeignKey("host.id"), primary_key=True),
    Column("topic", String, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("answer", HostText, nullable=False),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("operator", String, nullable=False),
    Column("action", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
