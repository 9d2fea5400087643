"""Generic operators that build a star schema in Redshift from JSON in S3."""

from sparkify.operators.create_tables import CreateTablesOperator
from sparkify.operators.data_quality import DataQualityOperator
from sparkify.operators.load_aggregate import LoadAggregateOperator
from sparkify.operators.load_dimension import LoadDimensionOperator
from sparkify.operators.load_fact import LoadFactOperator
from sparkify.operators.load_history import LoadHistoryOperator
from sparkify.operators.publish_days import PublishDaysOperator
from sparkify.operators.reconcile import ReconcileOperator
from sparkify.operators.report import ReportOperator
from sparkify.operators.stage_to_redshift import StageToRedshiftOperator

__all__ = [
    "CreateTablesOperator",
    "DataQualityOperator",
    "LoadAggregateOperator",
    "LoadDimensionOperator",
    "LoadFactOperator",
    "LoadHistoryOperator",
    "PublishDaysOperator",
    "ReconcileOperator",
    "ReportOperator",
    "StageToRedshiftOperator",
]
