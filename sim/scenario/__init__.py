"""What did the user say? Scenario files: loader, sections as models, checks across them."""
