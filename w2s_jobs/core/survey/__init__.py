"""The report over several capabilities, computed: from columns of artifacts to results.json (paper `reward`)."""
