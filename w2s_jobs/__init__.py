"""The work side: what runs inside a step (`python -m w2s_jobs STEP --spec FILE`)."""
