// The function app: Flex Consumption, custom handler, one identity, no keys in its settings.
param name string
param location string
param identityId string
param identityClientId string
param journalBlobEndpoint string
param hostAccountName string
param deploymentContainer string
param vaultUri string
param insightsConnectionString string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int
param subnetId string
param publicAddress string

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: '${name}-plan'
  location: location
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: '${name}-${substring(uniqueString(resourceGroup().id), 0, 8)}'
  location: location
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      // The platform answers preflight requests itself: SMART apps ask from any origin, and tokens, not cookies, decide.
      cors: { allowedOrigins: ['*'], supportCredentials: false }
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainer
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'custom', version: '1.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'http', instanceCount: alwaysReadyInstances }]
      }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: {
      AzureWebJobsStorage__accountName: hostAccountName
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AZURE_CLIENT_ID: identityClientId
      APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      // The start page is ours, not the platform's.
      AzureWebJobsDisableHomepage: 'true'
      FUNCTIONS_ENABLE_DRAIN_ON_APP_STOPPING: 'true'
      Ccm__Store: 'azure:${journalBlobEndpoint}'
      Ccm__Queues: 'https://${hostAccountName}.queue.${environment().suffixes.storage}'
      Ccm__Access__Mode: 'smart'
      Ccm__PublicAddress: publicAddress
      Ccm__Access__SigningKey: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/signing-key)'
    }
  }
}

output appName string = app.name
output address string = 'https://${app.properties.defaultHostName}'
