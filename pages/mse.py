"""See app/course.py."""

from app import course, page
from app.i18n import _

ENTRY = course.entry("mse")
page.header(_(ENTRY.title), _(ENTRY.promise))
