"""Why a run is as it is: rules over its settings, curves and scores, with evidence, confidence and a remedy."""

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Diagnosis, Finding
from tracking.diagnosis.render import to_json, to_markdown, to_table

__all__ = ["Diagnosis", "Evidence", "Finding", "diagnose", "to_json", "to_markdown", "to_table"]
