"""The URLs of the app."""

from django.urls import path

from integrations.views import catalog, entrance, preferences

urlpatterns = [
    path("", catalog.home, name="home"),
    path("preferences", preferences.preferences, name="preferences"),
    # Ways in
    path("sign-in/<str:secret>", entrance.sign_in_link, name="sign-in-link"),
    # Catalog
    path("t/<slug:team>/", catalog.catalog, name="catalog"),
]
