"""A real S3 API on this machine, in memory, with one bucket: where `make demo` archives media."""

import sys
from typing import Any, Final

from .command import Command
from .ports import HOST, answers
from .stack import wait_for

NAME: Final = "object_store"
BUCKET: Final = "media"
KEY: Final = "demonstration"  # of an account that exists nowhere
PATIENCE: Final = 30.0  # seconds


def command(port: int) -> Command:
    return Command(
        name=NAME, arguments=(sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)), quiet=True
    )


def environment(port: int) -> dict[str, str]:
    """The settings that lead there."""
    return {
        "MEDIA_S3_BUCKET": BUCKET,
        "MEDIA_S3_ENDPOINT_URL": f"http://{HOST}:{port}",
        "MEDIA_S3_REGION": "us-east-1",
        "MEDIA_S3_ACCESS_KEY": KEY,
        "MEDIA_S3_SECRET_KEY": KEY,
    }


def make_bucket(port: int) -> None:
    """Waits until the server answers. Raises LocalError."""
    wait_for(NAME, lambda: answers(port), PATIENCE, lambda: None)
    client(port).create_bucket(Bucket=BUCKET)


def sizes(port: int) -> list[int]:
    """Of the objects in the bucket, in bytes."""
    pages = client(port).get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return [entry["Size"] for page in pages for entry in page.get("Contents", ())]


def client(port: int) -> Any:
    import boto3  # takes a second

    return boto3.client(
        "s3",
        endpoint_url=f"http://{HOST}:{port}",
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
    )
