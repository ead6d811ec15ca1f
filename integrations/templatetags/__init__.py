"""Template tags: what the templates of this product say alike."""
