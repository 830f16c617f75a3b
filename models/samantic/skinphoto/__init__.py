"""Skin and lesions in ordinary photographs, and crops of them that are fit for diagnosis."""
