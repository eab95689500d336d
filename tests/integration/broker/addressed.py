"""The project's own Celery application with transport options from BROKER_OPTIONS, an authority from BROKER_CA."""

import json
import os
import ssl

from intelliwiz_config.celery import app

app.conf.broker_transport_options = json.loads(os.environ.get("BROKER_OPTIONS", "{}"))
if "BROKER_CA" in os.environ:
    app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": os.environ["BROKER_CA"]}
