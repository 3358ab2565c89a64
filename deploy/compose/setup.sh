# What `setup` of docker-compose.yml runs.
python /setup/replica_set.py
duewatch topics apply
duewatch topics check
duewatch store migrate
