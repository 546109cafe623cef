// Application Insights and the alerts; each alert has its page in docs/runbook.md.
param name string
param location string
param alertEmail string
param principalId string

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: '${name}-logs'
  location: location
  properties: { sku: { name: 'PerGB2018' }, retentionInDays: 90 }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: '${name}-insights'
  location: location
  kind: 'web'
  properties: { Application_Type: 'web', WorkspaceResourceId: workspace.id, DisableLocalAuth: true }
}

resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, metricsPublisher)
  scope: insights
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${name}-people'
  location: 'global'
  properties: {
    groupShortName: substring(name, 0, min(length(name), 12))
    enabled: true
    emailReceivers: [{ name: 'on-call', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

var alerts = [
  {
    key: 'poison-messages'
    text: 'Work of the month end or a push gave up after five tries (runbook: poison messages).'
    query: 'customMetrics | where name == "ccm.queue.poison" | summarize value = max(valueMax)'
    threshold: 0
    severity: 1
  }
  {
    key: 'refused-claims'
    text: 'An EHR refused claims for good (runbook: refused claims).'
    query: 'customMetrics | where name == "ccm.claims" and tostring(customDimensions.state) == "ClaimRefused" | summarize value = sum(valueSum)'
    threshold: 0
    severity: 2
  }
  {
    key: 'failed-close'
    text: 'A month could not be closed (runbook: failed close).'
    query: 'customMetrics | where name == "ccm.close.failed" | summarize value = sum(valueSum)'
    threshold: 0
    severity: 1
  }
  {
    key: 'server-errors'
    text: 'More than 1 in 100 requests ends with a 5xx (runbook: server errors).'
    query: 'requests | summarize value = 100.0 * countif(toint(resultCode) >= 500) / max_of(count(), 1)'
    threshold: 1
    severity: 1
  }
]

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in alerts: {
    name: '${name}-${rule.key}'
    location: location
    properties: {
      displayName: '${name}: ${rule.key}'
      description: rule.text
      severity: rule.severity
      enabled: true
      scopes: [insights.id]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Maximum'
            metricMeasureColumn: 'value'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]

output connectionString string = insights.properties.ConnectionString
