"""How static files are named once they are collected: with their hash, their imports of one another too."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's, which follows the imports of ES modules as well. Older files stay, for pages that are still open."""

    support_js_module_import_aggregation = True
