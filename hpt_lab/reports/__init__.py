"""A study's report: one HTML file that holds everything. Read `write_report`."""

from hpt_lab.reports.writing import write_report

__all__ = ["write_report"]
