"""The archive in a bucket of S3, or of a service that speaks its protocol."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError
from celery.exceptions import SoftTimeLimitExceeded
from storages.backends.s3 import S3Storage
from storages.utils import clean_name
from urllib3.exceptions import HTTPError

from .trouble import ArchiveDownError, MediaTroubleError, Trouble

# What a server says about one object. Anything else is about the archive, its keys, or our way there.
OF_ONE_OBJECT: Final = frozenset(
    {"EntityTooLarge", "InvalidObjectName", "InvalidObjectState", "KeyTooLongError", "XMinioInvalidObjectName"}
)
# Retries of the kind "standard" would take a soft time limit that strikes inside a request for a lost connection.
CLIENT: Final = Config(connect_timeout=10, read_timeout=60, retries={"mode": "legacy", "total_max_attempts": 4})
BUFFER: Final = 1024 * 1024  # bytes


class S3Archive(S3Storage):  # type: ignore[misc] # django-storages has no types
    """Private objects under their exact names, read as streams. `create_only`: the server refuses to replace one."""

    client_config: Any

    def get_default_settings(self) -> dict[str, Any]:
        """What holds unless OPTIONS say otherwise; Django's settings AWS_* are for other storages."""
        fixed = {
            "create_only": True,
            "default_acl": None,  # the bucket's: private, unless somebody has opened it
            "querystring_auth": True,
            "file_overwrite": True,  # else it would choose other names
            "gzip": False,
            "location": "",
            "custom_domain": None,
            # Not guessed from names that others chose: nothing is a page or a script there.
            "object_parameters": {"ContentType": "application/octet-stream"},
            "verify": None,  # certificates are verified, by AWS_CA_BUNDLE where that is set
            # One part in memory at a time, and nobody else's thread in a worker's process.
            "transfer_config": TransferConfig(use_threads=False),
        }
        return {**super().get_default_settings(), **fixed}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config = CLIENT.merge(self.client_config)

    @property
    def connection(self) -> Any:
        known = getattr(self._connections, "connection", None)
        connection = super().connection
        if known is None and self.create_only:
            events = connection.meta.client.meta.events
            for operation in ("PutObject", "CompleteMultipartUpload"):
                events.register(f"before-parameter-build.s3.{operation}", _only_if_new)
        return connection

    def _open(self, name: str, mode: str = "rb") -> IO[bytes]:
        key = self._normalize_name(clean_name(name))
        with translated():
            got = self.connection.meta.client.get_object(Bucket=self.bucket_name, Key=key)
        return io.BufferedReader(_Body(got["Body"]), buffer_size=BUFFER)

    def _save(self, name: str, content: Any) -> str:
        with translated():
            saved: str = super()._save(name, content)
        return saved

    def exists(self, name: str) -> bool:
        with translated():
            found: bool = super().exists(name)
        return found

    def size(self, name: str) -> int:
        with translated():
            size: int = super().size(name)
        return size


class _Body(io.RawIOBase):
    """An object's content as it comes in."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with translated():
            count: int = self._body.readinto(buffer)
        return count

    def close(self) -> None:
        self._body.close()
        super().close()


@contextmanager
def translated() -> Iterator[None]:
    """Raises FileNotFoundError, FileExistsError, MediaTroubleError and ArchiveDownError instead of the library's.

    Their texts are not passed on: URLs with people's file names stand in them.
    """
    try:
        yield
    except ClientError as error:
        raise _of_answer(error) from None
    except FlexibleChecksumError:
        raise MediaTroubleError(Trouble.STORED_WRONG) from None
    except (BotoCoreError, Boto3Error, HTTPError) as error:
        if isinstance(error.__context__, SoftTimeLimitExceeded):
            raise error.__context__ from None
        raise ArchiveDownError(f"The media archive does not work: {type(error).__name__}.") from None


def _of_answer(error: ClientError) -> Exception:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = str(error.response.get("Error", {}).get("Code", ""))
    if status == 404 and code in ("404", "NoSuchKey", "NotFound"):
        return FileNotFoundError()
    if status == 412:
        return FileExistsError()
    if code in OF_ONE_OBJECT:
        return MediaTroubleError(Trouble.REFUSED)
    return ArchiveDownError(f"The media archive does not work: it answers {status} {code[:60]}.")


def _only_if_new(params: dict[str, Any], **_: Any) -> None:
    params["IfNoneMatch"] = "*"
