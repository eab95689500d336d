"""The composition root as a Django app, so that it can have commands that need every other app."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "intelliwiz_config"
    verbose_name = "IntelliWiz"
