"""The life of a case: application, survey, assessment, checks, signals, holds, closing."""
