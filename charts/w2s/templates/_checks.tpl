{{/* What a schema cannot say: one value beside another. Each problem is a line with the field, the value, what was expected. */}}
{{- define "w2s.check" -}}
{{- $found := list -}}
{{- range tuple "w2s.checkStores" "w2s.checkNamespaces" "w2s.checkCredentials" "w2s.checkWorkers" "w2s.checkProxy" "w2s.checkMonitoring" -}}
{{- range splitList "\n" (include . $) -}}
{{- if trim . -}}
{{- $found = append $found (trim .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $found -}}
{{- fail (printf "these values do not fit together:\n- %s" (join "\n- " $found)) -}}
{{- end -}}
{{- end }}

{{- define "w2s.checkStores" -}}
{{- $names := list }}
{{- range $index, $store := .Values.stores }}
{{- if has $store.name $names }}
stores[{{ $index }}].name: {{ quote $store.name }} is there twice; expected a name of its own
{{- end }}
{{- $names = append $names $store.name }}
{{- end }}
{{- with .Values.defaultStore }}
{{- if not (has . $names) }}
defaultStore: {{ quote . }}; expected one of stores[].name ({{ join ", " $names | default "there are none" }})
{{- end }}
{{- end }}
{{- $pools := list }}
{{- range $index, $pool := .Values.pools }}
{{- if has $pool.name $pools }}
pools[{{ $index }}].name: {{ quote $pool.name }} is there twice; expected a name of its own
{{- end }}
{{- $pools = append $pools $pool.name }}
{{- end }}
{{- end }}

{{- define "w2s.checkNamespaces" -}}
{{- $watched := .Values.namespaces }}
{{- $seen := list }}
{{- range $index, $namespace := .Values.workerNamespaces }}
{{- if has $namespace.name $seen }}
workerNamespaces[{{ $index }}].name: {{ quote $namespace.name }} is there twice; expected each namespace once
{{- end }}
{{- $seen = append $seen $namespace.name }}
{{- if and $watched (not (has $namespace.name $watched)) }}
workerNamespaces[{{ $index }}].name: {{ quote $namespace.name }} is not watched; expected one of namespaces ({{ join ", " $watched }}), or add it there
{{- end }}
{{- end }}
{{- range $index, $store := .Values.stores }}
{{- range $store.namespaces }}
{{- if and $watched (not (has . $watched)) }}
stores[{{ $index }}].namespaces: {{ quote . }} is not watched; expected some of namespaces ({{ join ", " $watched }}), or add it there
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Values that hold a secret are never printed. */}}
{{- define "w2s.checkCredentials" -}}
{{- range $index, $store := .Values.stores }}
{{- $credentials := $store.credentials | default dict }}
{{- if and $credentials.secretName $credentials.serviceAccountName }}
stores[{{ $index }}].credentials: both secretName and serviceAccountName; expected one: keys of a Secret would silently win over the web identity
{{- end }}
{{- end }}
{{- with .Values.controller }}
{{- if and .credentials.secretName .credentials.webIdentity.roleArn }}
controller.credentials: both secretName and webIdentity.roleArn; expected one: keys of a Secret would silently win over the web identity
{{- end }}
{{- range $index, $variable := .env }}
{{- if and (regexMatch "(?i)((^|_)(API)?KEY(_|$)|SECRET|(^|_)TOKEN(_|$)|PASSW|CREDENTIAL)" $variable.name) (not (hasSuffix "_FILE" $variable.name)) }}
controller.env[{{ $index }}].name: {{ quote $variable.name }} is the name of a secret; expected it in a Secret that controller.credentials.secretName names
{{- end }}
{{- if regexMatch "://.*@|^[^/@]*:[^/]*@" $variable.value }}
controller.env[{{ $index }}].value: has a user or a password in it; expected {{ $variable.name }} in a Secret that controller.credentials.secretName names
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "w2s.checkWorkers" -}}
{{- $account := .Values.workerServiceAccount }}
{{- range $index, $store := .Values.stores }}
{{- with ($store.credentials | default dict).serviceAccountName }}
{{- if and $account.create $.Values.workerNamespaces (ne . $account.name) }}
stores[{{ $index }}].credentials.serviceAccountName: {{ quote . }}; expected {{ quote $account.name }}, which the chart makes in workerNamespaces; or make the accounts yourself, and set workerServiceAccount.create: false
{{- end }}
{{- end }}
{{- end }}
{{- if gt (len .Values.workers.modelCache) 1 }}
workers.modelCache: {{ keys .Values.workers.modelCache | sortAlpha | join ", " }}; expected one volume source
{{- end }}
{{- if and .Values.workers.queue (not .Values.kueue.enabled) }}
workers.queue: {{ quote .Values.workers.queue }} with kueue.enabled false; expected kueue.enabled true: without Kueue no Job would ever start
{{- end }}
{{- end }}

{{- define "w2s.checkProxy" -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.proxy.ports) }}
{{- range $index, $variable := .Values.controller.env }}
{{- if regexMatch "(?i)^(HTTPS?|ALL)_PROXY$" $variable.name }}
controller.env[{{ $index }}].name: {{ quote $variable.name }} with networkPolicy.proxy.ports empty; expected the proxy's ports and peers in networkPolicy.proxy: else the policy lets nobody reach it
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "w2s.checkMonitoring" -}}
{{- if and .Values.monitoring.rules.enabled (not .Values.monitoring.serviceMonitor.enabled) }}
monitoring.rules.enabled: true with monitoring.serviceMonitor.enabled false; expected both: alerts ask for the labels that the monitor gives, and W2sControllerDown would fire for ever
{{- end }}
{{- end }}
