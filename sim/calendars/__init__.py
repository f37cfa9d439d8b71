"""On which days and at which hours are banks open? Calendars of countries, and counting in them."""
