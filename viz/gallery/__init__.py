"""The gallery: one of every picture, light and dark, on a page that needs nothing from outside."""

from viz.gallery.page import PICTURES, write_gallery
from viz.gallery.picture import Picture

__all__ = ["PICTURES", "Picture", "write_gallery"]
