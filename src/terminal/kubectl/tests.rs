//! kubectl as a user types it.
