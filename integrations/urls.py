"""The URLs of the app."""

from django.urls import path

from integrations.views import catalog, preferences

urlpatterns = [
    path("", catalog.home, name="home"),
    path("preferences", preferences.preferences, name="preferences"),
    # Catalog
    path("t/<slug:team>/", catalog.catalog, name="catalog"),
]
