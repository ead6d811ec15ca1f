"""Gatehouse's one app."""
