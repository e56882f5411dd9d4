"""P: the design as most would build it, FastAPI and SQLAlchemy on SQLite, with its best honest chance.

The same two tables with all their indexes, WAL, an answer only after a durable commit
(synchronous=FULL, as SmartPark), one pooled connection a worker, no echo, no log of requests, uvloop
and httptools. Handlers are `async` and work in place: writers of one process then never wait for
each other in SQLite's busy handler, which costs more than anything else here.
"""

import os
from datetime import datetime, timezone
from enum import Enum

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field
from sqlalchemy import (
    CheckConstraint, ForeignKey, Index, StaticPool, UniqueConstraint, create_engine, event, select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(
    "sqlite:///" + os.environ["PEER_DATABASE"],
    poolclass=StaticPool,
    connect_args={"timeout": 60, "check_same_thread": False},
)


@event.listens_for(engine, "connect")
def configure(connection, _record):
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-32768"):
        connection.execute("PRAGMA " + pragma)


@event.listens_for(engine, "begin")
def begin(connection):
    # A transaction that reads first and writes later fails where another writes in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class Base(DeclarativeBase):
    pass


class Floor(Base):
    __tablename__ = "floors"
    __table_args__ = (
        CheckConstraint("current_vehicles >= 0"),
        CheckConstraint("current_vehicles <= total_slots"),
        Index("ix_floor_updated_at", "updated_at"),
        Index("ix_floor_is_active", "is_active"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    total_slots: Mapped[int]
    current_vehicles: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime]


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("camera_id", "track_id", "direction", "timestamp"),
        CheckConstraint("confidence BETWEEN 0 AND 1"),
        Index("ix_event_camera_id", "camera_id"),
        Index("ix_event_floor_id", "floor_id"),
        Index("ix_event_track_id", "track_id"),
        Index("ix_event_timestamp", "timestamp"),
        Index("ix_event_camera_floor_timestamp", "camera_id", "floor_id", "timestamp"),
        Index("ix_event_track_direction", "track_id", "direction"),
        Index("ix_event_floor_timestamp", "floor_id", "timestamp"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[str]
    floor_id: Mapped[int] = mapped_column(ForeignKey("floors.id", ondelete="RESTRICT"))
    track_id: Mapped[str]
    vehicle_type: Mapped[str]
    direction: Mapped[str]
    confidence: Mapped[float] = mapped_column(default=0.8)
    timestamp: Mapped[datetime]
    created_at: Mapped[datetime]


class VehicleType(str, Enum):
    car = "car"
    motorcycle = "motorcycle"
    bus = "bus"
    truck = "truck"


class Direction(str, Enum):
    entry = "entry"
    exit = "exit"


class NewEvent(BaseModel):
    camera_id: str = Field(min_length=1, max_length=100)
    floor_id: int
    track_id: str = Field(min_length=1, max_length=100)
    vehicle_type: VehicleType
    direction: Direction
    confidence: float = Field(0.8, ge=0, le=1)
    timestamp: datetime


class Recorded(BaseModel):
    id: int
    floor_id: int
    current_vehicles: int
    available_slots: int
    duplicate: bool


sessions = sessionmaker(engine, expire_on_commit=False)
app = FastAPI(openapi_url=None)


def make_tables():
    Base.metadata.create_all(engine)
    with sessions.begin() as session:
        names = ["Ground Floor", "First Floor", "Second Floor", "Basement Level 1"]
        for name, slots in zip(names, (50, 45, 40, 60)):
            session.add(Floor(name=name, total_slots=slots, updated_at=now()))


def now():
    return datetime.now(timezone.utc)


@app.get("/health/ready")
async def ready():
    return {"status": "ok"}


@app.get("/rows")
async def rows():
    with engine.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one()


@app.post("/events", status_code=201)
async def record(new: NewEvent, response: Response) -> Recorded:
    with sessions.begin() as session:
        duplicate = session.scalar(
            select(Event).where(
                Event.camera_id == new.camera_id,
                Event.track_id == new.track_id,
                Event.direction == new.direction.value,
                Event.timestamp == new.timestamp,
            )
        )
        floor = session.get(Floor, (duplicate or new).floor_id)
        if floor is None:
            raise HTTPException(422, "unknown floor")
        if duplicate is None:
            step = 1 if new.direction is Direction.entry else -1
            floor.current_vehicles = min(max(floor.current_vehicles + step, 0), floor.total_slots)
            floor.updated_at = now()
            stored = Event(**new.model_dump(mode="python"), created_at=floor.updated_at)
            stored.vehicle_type, stored.direction = new.vehicle_type.value, new.direction.value
            session.add(stored)
            session.flush()
        else:
            stored = duplicate
            response.status_code = 200
        return Recorded(
            id=stored.id,
            floor_id=floor.id,
            current_vehicles=floor.current_vehicles,
            available_slots=floor.total_slots - floor.current_vehicles,
            duplicate=duplicate is not None,
        )


if __name__ == "__main__":
    make_tables()
