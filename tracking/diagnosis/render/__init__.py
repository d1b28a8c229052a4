"""How a diagnosis is shown: pages for people in English and Chinese, fields for programs, a table for terminals."""

from tracking.diagnosis.render.as_json import to_json
from tracking.diagnosis.render.page import to_markdown
from tracking.diagnosis.render.table import to_table

__all__ = ["to_json", "to_markdown", "to_table"]
