"""A Celery application that knows nothing of this project, on kombu's own Redis transport."""

import os

import redis
from celery import Celery

QUEUE = "high_priority"
SEEN = "test:stock"


def stock_app(url: str) -> Celery:
    made = Celery("stock", broker=plain(url), set_as_current=False)
    made.conf.update(task_default_queue=QUEUE, broker_connection_retry_on_startup=True)
    return made


def plain(url: str) -> str:
    return url.replace("leased://", "redis://")


app = stock_app(os.environ["BROKER_URL"])


@app.task(name="test.broker.mark", shared=False)
def mark(value: str) -> None:
    redis.Redis.from_url(plain(os.environ["BROKER_URL"])).rpush(SEEN, value)
