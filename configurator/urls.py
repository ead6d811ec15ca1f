"""Every URL of the site."""

from allauth.account import views as account
from django.conf import settings
from django.urls import include, path, re_path

accounts = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
]
if settings.EMAIL_URL:
    accounts += [
        path("password/reset/", account.password_reset, name="account_reset_password"),
        path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
        re_path(
            r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
            account.password_reset_from_key,
            name="account_reset_password_from_key",
        ),
        path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    ]

handler400 = "integrations.views.errors.bad_request"
handler403 = "integrations.views.errors.not_allowed"
handler404 = "integrations.views.errors.not_found"
handler429 = "integrations.views.errors.too_often"
handler500 = "integrations.views.errors.broken"
urlpatterns = [path("accounts/", include(accounts)), path("", include("integrations.urls"))]
