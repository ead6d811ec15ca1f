"""Every URL of the site."""

from django.urls import include, path

urlpatterns = [path("accounts/", include("allauth.account.urls")), path("", include("integrations.urls"))]
