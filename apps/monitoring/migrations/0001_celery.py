from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Celery",
            fields=[("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))],
            options={
                "verbose_name": "background job",
                "verbose_name_plural": "Background jobs",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
    ]
