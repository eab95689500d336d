"""The project's Celery application for chaos runs, the same for both brokers; ours has no use for these options."""

from intelliwiz_config.celery import app

from .scenario import STOCK_GIVES_BACK_AFTER

app.conf.broker_transport_options = {
    **app.conf.broker_transport_options,
    # What recovers a stock worker's jobs, as quickly as it can be made to without running the longest of them twice.
    "visibility_timeout": STOCK_GIVES_BACK_AFTER,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
