"""The WSGI application. `manage.py up` serves it; any other server has to set SECRET_KEY."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "configurator.settings")

if not os.environ.get("SECRET_KEY") and not settings.SECRET_FILE.exists():
    raise ImproperlyConfigured("Set SECRET_KEY: every process of a site signs with the same one.")

application = get_wsgi_application()

import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()  # all of this stays: the collector need not look at it again, and processes that are forked go on sharing it
