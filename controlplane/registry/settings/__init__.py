"""What hangs on a function beside code and configuration, by Lambda's rules and in its words.

* registry    everything that can be set, one attribute per concern
* index       all settings in memory by what others look up: function URLs, reservations
* documents   settings as stored records and back
"""
