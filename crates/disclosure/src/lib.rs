//! What is signed: tokens with selective disclosure, statements, evidence, and the check of free text.
