"""What is made of incidents: templates, the timeline that writes itself, metrics, what closing asks for, exports."""
