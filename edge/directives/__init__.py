"""What headquarters directs and a zone keeps beside its ledger: the roster of officers, the custody policy."""
