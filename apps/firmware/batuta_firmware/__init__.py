"""
Firmware CI/CD for K1 devices on any Conductor server: build a commit, gate it, store it, deploy it, roll it back.

Where to look: workers.py for the tasks and definitions/ for the workflows; repo, workspace, build, metrics, gates for building;
image, artifacts, records for what is kept; address, espota, device, health, leases, deployments, deploy for devices; handlers and notify for
failures; twin/ for a device in software, platform/ and fixture/ for firmware it runs; demo/ for all of it at once.
Of Batuta only batuta.client is used, so that everything here runs against Conductor OSS and Orkes too.
"""
