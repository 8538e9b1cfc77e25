"""What the foreign-client tests are built from: processes, a recording proxy, peers, ASN.1 for odd messages."""
