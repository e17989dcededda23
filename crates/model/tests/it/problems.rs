//! What is said of bad reports.
