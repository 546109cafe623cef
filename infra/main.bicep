// CcmFhir on Azure: a Flex Consumption function app that runs the program as a custom handler, with its journal in append blobs.
targetScope = 'resourceGroup'

@description('Short name that every resource name begins with: 3 to 11 lower-case letters and digits.')
@minLength(3)
@maxLength(11)
param name string

@description('Region. Flex Consumption is not in every one.')
param location string = resourceGroup().location

@description('Days that a journal blob cannot be changed or deleted, counted from its creation; appends stay possible. Medicare asks for 7 years, Medicare Advantage for 10. The policy that is made is not locked yet and can still be shortened; lock it by hand once the retention has been decided, which cannot be undone.')
@minValue(1)
param retentionDays int = 3653

@description('Days that a deleted blob or container can be restored.')
@minValue(1)
@maxValue(365)
param softDeleteDays int = 90

@description('Memory of one instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Instances that are always warm, so that the first request of a day is as fast as the next.')
@minValue(0)
param alwaysReadyInstances int = 1

@description('Puts storage and Key Vault behind private endpoints; the function app joins the network.')
param privateNetworking bool = false

@description('Where alerts go.')
param alertEmail string

@description('Public address of the app, as its clients know it; empty for the app\'s own name.')
param publicAddress string = ''

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: { name: name, location: location }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'network'
  params: { name: name, location: location }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: name
    location: location
    retentionDays: retentionDays
    softDeleteDays: softDeleteDays
    publicAccess: !privateNetworking
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: name
    location: location
    publicAccess: !privateNetworking
    principalId: identity.outputs.principalId
  }
}

module endpoints 'modules/endpoints.bicep' = if (privateNetworking) {
  name: 'endpoints'
  params: {
    name: name
    location: location
    subnetId: network!.outputs.endpointSubnetId
    networkId: network!.outputs.networkId
    journalAccountId: storage.outputs.journalAccountId
    hostAccountId: storage.outputs.hostAccountId
    vaultId: vault.outputs.vaultId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: { name: name, location: location, alertEmail: alertEmail, principalId: identity.outputs.principalId }
}

module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    name: name
    location: location
    identityId: identity.outputs.identityId
    identityClientId: identity.outputs.clientId
    journalBlobEndpoint: storage.outputs.journalBlobEndpoint
    hostAccountName: storage.outputs.hostAccountName
    deploymentContainer: storage.outputs.deploymentContainer
    vaultUri: vault.outputs.vaultUri
    insightsConnectionString: monitoring.outputs.connectionString
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    publicAddress: publicAddress
  }
  dependsOn: [endpoints]
}

output appName string = app.outputs.appName
output address string = app.outputs.address
