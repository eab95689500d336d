"""A real S3 API over HTTP, on this machine: moto's server."""

import logging
from functools import cached_property
from typing import Any, Final

import boto3
from botocore.config import Config
from django.core.files.storage import Storage, storages
from moto.server import ThreadedMotoServer

from apps.media.archive_options import s3_archive

BUCKET: Final = "media"
KEYS: Final = {"access_key": "test", "secret_key": "test"}  # of an account that exists nowhere
logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the server's own log, of each request
ONE_TRY: Final = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})


class S3Server:
    """The server, what is in its bucket, and the STORAGES entry that leads there."""

    def __init__(self, port: int = 0) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=ONE_TRY,
        )

    @cached_property
    def made_storage(self) -> Storage:
        return storages.create_storage(self.storage())

    def empty(self) -> None:
        """Make the bucket, or take everything out of it."""
        self.client.create_bucket(Bucket=BUCKET)
        for key in self.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)

    def storage(self, **changes: Any) -> dict[str, Any]:
        options = {
            "bucket_name": BUCKET,
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "client_config": ONE_TRY,
            **KEYS,
        }
        return s3_archive(**{**options, **changes})

    def objects(self) -> dict[str, bytes]:
        """What is in the bucket, by key."""
        return {key: self.read(key) for key in self.keys()}

    def keys(self) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]

    def read(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def stop(self) -> None:
        self._server.stop()
        assert self._server._server
        self._server._server.server_close()
