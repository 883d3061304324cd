"""The kill switch: policy:kill_switch engaged or released, and the proof of it."""
