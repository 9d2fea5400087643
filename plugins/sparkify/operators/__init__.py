"""Generic operators that build a star schema in Redshift from JSON in S3."""

from sparkify.operators.create_tables import CreateTablesOperator
from sparkify.operators.data_quality import DataQualityOperator
from sparkify.operators.load_dimension import LoadDimensionOperator
from sparkify.operators.load_fact import LoadFactOperator
from sparkify.operators.publish_days import PublishDaysOperator
from sparkify.operators.reconcile import ReconcileOperator
from sparkify.operators.report import ReportOperator
from sparkify.operators.stage_to_redshift import StageToRedshiftOperator

__all__ = [
    "CreateTablesOperator",
    "DataQualityOperator",
    "LoadDimensionOperator",
    "LoadFactOperator",
    "PublishDaysOperator",
    "ReconcileOperator",
    "ReportOperator",
    "StageToRedshiftOperator",
]
