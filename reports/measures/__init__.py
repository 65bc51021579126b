"""Any number of a run as cells of a table: summed up, compared in pairs, set in bold, captioned."""
