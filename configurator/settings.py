"""Settings of the command line; nothing is served yet, so there is no database, no secret and no URL."""

INSTALLED_APPS = ["integrations"]
USE_TZ = True
