"""What happened: Arrow schemas, the run folder, provenance; who writes them and who reads them."""
