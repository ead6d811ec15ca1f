"""All settings, from the environment. Without any, Gatehouse serves itself on this machine with SQLite under var/."""

import secrets
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.utils.csp import CSP

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

DATA_DIR = Path(env.str("GATEHOUSE_DATA", str(BASE_DIR / "var")))
"""Where the embedded database and the generated secret live."""

ORIGIN = env.str("GATEHOUSE_ORIGIN", "http://127.0.0.1:8000")
"""Where people reach it: scheme, host and port. HTTPS switches secure cookies, HSTS and the redirect on."""
_origin = urlsplit(ORIGIN)
SECURE = _origin.scheme == "https"

DEBUG = env.bool("GATEHOUSE_DEBUG", False)


SECRET_FILE = DATA_DIR / "secret_key"
"""Where `up` keeps the key that this installation made for itself."""


def _secret_key() -> str:
    """From the environment, else the kept one, else one that this process makes up: good for a command, not for a server."""
    try:
        return env.str("SECRET_KEY", "") or SECRET_FILE.read_text()
    except OSError:
        return secrets.token_urlsafe(64)


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_origin.hostname or "127.0.0.1", "127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = [ORIGIN]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "integrations",
]
MIDDLEWARE = [
    "configurator.middleware.Numbered",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "configurator.middleware.StrictText",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "configurator.middleware.SignedIn",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "configurator.urls"
WSGI_APPLICATION = "configurator.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "integrations.context.frame",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

DATABASES = {"default": env.db("DATABASE_URL", f"sqlite:///{DATA_DIR / 'gatehouse.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "integrations.accounts.Adapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "integrations.accounts.SignIn",
    "change_password": "integrations.accounts.ChangePassword",
    "set_password": "integrations.accounts.SetPassword",
    "reset_password": "integrations.accounts.ResetPassword",
    "reset_password_from_key": "integrations.accounts.ResetPasswordKey",
}
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("GATEHOUSE_PROXIES", 1 if SECURE else 0)
"""How many proxies of our own stand in front: where the address of a client, for the limits on guessing passwords, is read."""

EMAIL_URL = env.str("EMAIL_URL", "")
"""How mail is sent, as smtp+tls://user:password@host:587. Without it nobody is offered a forgotten password by mail."""
if EMAIL_URL:
    vars().update(env.email_url("EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"gatehouse@{_origin.hostname}")

DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 8_000_000
"""A form holds a whole definition: some thousand rows, templates of 1 MB. What is larger is refused unread."""

CSRF_FAILURE_VIEW = "integrations.views.errors.too_old"

LOG = env.str("GATEHOUSE_LOG", "json")
"""How standard error is written: json, or text for a terminal."""
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "configurator.logs.Json"}, "text": {"()": "configurator.logs.Text"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG}, "nothing": {"class": "logging.NullHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "gatehouse": {"level": "INFO"},
        # The line of the request says it; errors of ours come with their stack.
        "django.request": {"level": "ERROR"},
        "django.security": {"handlers": ["nothing"], "propagate": False},
        "django": {"handlers": [], "level": "WARNING"},
    },
}

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
COLLECTED = env.bool("GATEHOUSE_COLLECTED", False)
"""Whether files are served from STATIC_ROOT, under names that hold their hash; `up` collects them there."""
STATIC_ROOT = DATA_DIR / "static" if COLLECTED else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "configurator.static.HashedFiles" if COLLECTED else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not COLLECTED

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # preloading concerns the whole domain: for its owner to say, not for one host
